import { UsageError } from '../errors.ts';

/**
 * Runs independent checks of the input, so that one error reports everything that is wrong.
 * @returns the results
 * @throws UsageError with the messages of all checks that failed, and their fixes
 */
export function together<Results extends readonly unknown[]>(...checks: { [At in keyof Results]: () => Results[At] }): Results {
  const errors: UsageError[] = [];
  const results = checks.map((check) => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      errors.push(error);
      return undefined;
    }
  });
  const [first] = errors;
  if (first === undefined) return results as unknown as Results;
  if (errors.length === 1) throw first;
  const fixes = new Set(errors.flatMap(({ fix }) => fix ?? []));
  throw new UsageError(errors.map(({ message }) => message).join('\n'), fixes.size === 0 ? {} : { fix: [...fixes].join('\n') });
}
