/** How much earlier a certificate starts, in milliseconds, for clients whose clocks are slow. */
export const clockSkewMs = 5 * 60_000;
