/** How far the start of a certificate is set back, in milliseconds, for clients whose clocks are behind: five minutes. */
export const clockSkewMs = 5 * 60_000;
