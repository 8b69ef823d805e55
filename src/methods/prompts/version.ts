/**
 * Version of all texts that models are sent: of the prompts and of the descriptions of environments and policies. Each
 * run records it. Raise it with every change of a text; a test knows the texts of each version.
 */
export const promptVersion = 3;
