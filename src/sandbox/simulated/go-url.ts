// Paths and queries as Go writes them anew (net/url): kube-aggregator keeps neither as the client
// wrote it.

/**
 * A path, whose escaped slashes become slashes (URL.EscapedPath of a URL without RawPath).
 * @param pathname - escaped, and rightly so
 */
export const goPath = (pathname: string): string =>
  encodeURIComponent(decodeURIComponent(pathname))
    .replace(/%(?:24|26|2B|2C|2F|3A|3B|3D|40)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** A query with its question mark, in the order of its keys (Values.Encode); empty for none. */
export function goQuery(searchParams: URLSearchParams): string {
  const sorted = new URLSearchParams(searchParams);
  sorted.sort();
  return sorted.size === 0 ? '' : `?${sorted.toString().replaceAll('%7E', '~').replaceAll('*', '%2A')}`;
}
