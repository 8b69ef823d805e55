export declare function shaderTextsModule(): string;
export declare const shaderTextsPath: string;
