/** See sdk-package.mjs. */
export function buildSdkPackage(root: string): Promise<boolean>;
