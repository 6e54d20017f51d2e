/** Takes every step, one after the other, also when earlier ones fail. @returns what failed, in this order */
export async function allSteps(...steps: (() => Promise<unknown>)[]): Promise<Error[]> {
  const faults: Error[] = [];
  for (const step of steps) {
    await step().catch((error: unknown) => faults.push(error instanceof Error ? error : new Error(String(error))));
  }
  return faults;
}
