import { badRequest } from './failure.ts';

/** The URL of a request. @param target - of its first line @throws ApiFailure 400 */
export function requestUrl(target = '/'): URL {
  try {
    const url = new URL(`https://host${target.startsWith('/') ? '' : '/'}${target}`);
    decodeURIComponent(url.pathname);
    return url;
  } catch {
    throw badRequest('the URL is malformed');
  }
}
