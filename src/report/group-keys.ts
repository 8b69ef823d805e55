/** What runs are told apart by where nothing else is asked for: those that differ in their seed alone are one group. */
export const usualKeys: readonly string[] = ['env', 'method', 'model'];
