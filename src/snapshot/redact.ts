/** `Bearer eyJ…`, but not "bearer token" (RFC 6750 2.1). */
const bearer = /\b(Bearer\s+)(?!tokens?\b)[\w.~+/-]+=*/gi;
/** The password of a URL (RFC 3986 3.2.1). */
const password = /(:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g;

/** The text without credentials: bearer tokens, and passwords in URLs. */
export const redacted = (text: string): string => text.replace(bearer, '$1(hidden)').replace(password, '$1(hidden)');
