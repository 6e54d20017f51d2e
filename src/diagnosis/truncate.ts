/** The whole answer of a server is available with `kubectl get --raw`. */
const evidenceLimit = 600;

/** The first 600 characters of a text. */
export const truncate = (text: string): string => (text.length > evidenceLimit ? `${text.slice(0, evidenceLimit)}...` : text);
