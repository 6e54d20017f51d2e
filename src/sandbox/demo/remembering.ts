/** Remembers answers of kube-apiserver for as long as k8s.io/apiserver does (pkg/server/options/authorization.go, AllowCacheTTL): 10 seconds. */
const rememberMs = 10_000;
const mostRemembered = 1_000;

/** Asks once for every key, and again when the answer is old. An answer that failed is not remembered. */
export function remembering<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const known = new Map<string, { readonly answer: T; readonly until: number }>();
  return async (key) => {
    const found = known.get(key);
    if (found && performance.now() < found.until) return found.answer;
    const answer = await ask(key);
    if (known.size >= mostRemembered) known.clear();
    known.set(key, { answer, until: performance.now() + rememberMs });
    return answer;
  };
}
