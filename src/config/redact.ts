/** `Bearer eyJ…`, but not "bearer token" (RFC 6750 2.1). */
const bearer = /\b(Bearer\s+)(?!tokens?\b)[\w.~+/-]+=*/gi;

/**
 * A URL of a text up to the end of its user information (RFC 3986 3.2.1). In a URL that cannot be
 * parsed, the password may contain a slash; `host:443/` is no user.
 */
const urlWithUser = /:\/\/(?:[^\s/:@[<>"']*:(?!\d+[/?#])[^\s<>"']*|[^\s/?#<>"']*)@/g;

/** A URL without its user information, which may be a password or a token. */
export const withoutPassword = (url: string): string => url.replace(/\/\/.*@/s, '//');

/** The text without credentials: bearer tokens, and user information in URLs. */
export const redacted = (text: string): string => text.replace(bearer, '$1(hidden)').replace(urlWithUser, withoutPassword);
