/** Put in by the build from package.json. */
declare const APISVC_VERSION: string;

export const version = APISVC_VERSION;
