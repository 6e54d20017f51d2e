/** Longer evidence than this helps nobody; the raw answer is a `kubectl get --raw` away. */
const evidenceLimit = 600;

/** A text as it is, or its beginning where it is too long to be read. */
export const shortened = (text: string): string => (text.length > evidenceLimit ? `${text.slice(0, evidenceLimit)}...` : text);
