/** Whether a text is `key=value` and no option; the command knows the keys, which may hold names of models. */
export const isSetting = (text: string): boolean => /^[^-=][^=]*=/.test(text);
