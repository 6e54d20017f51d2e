/** Whether to try everything, which takes hours. CONTRIBUTING.md says what this adds. */
export const isThorough = process.env.APISVC_THOROUGH !== undefined;

/**
 * Whether a whole tier runs without APISVC_THOROUGH=1. Then one variant stands for others that
 * prove the same. A single file tries all of them.
 */
export const isShort = process.env.APISVC_SHORT !== undefined;
