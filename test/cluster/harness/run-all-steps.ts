/** Runs all steps in order, even if earlier ones fail. @returns the errors in the same order */
export async function runAllSteps(...steps: (() => Promise<unknown>)[]): Promise<Error[]> {
  const errors: Error[] = [];
  for (const step of steps) {
    await step().catch((error: unknown) => errors.push(error instanceof Error ? error : new Error(String(error))));
  }
  return errors;
}
