import { runningTestbeds } from './testbeds.ts';

/** Prints a line for each running testbed. */
export async function status(): Promise<void> {
  const testbeds = await runningTestbeds();
  if (testbeds.length === 0) console.log('No testbed is running. Start one: npm run testbed -- up');
  for (const { version, cell, kubeconfig, started } of testbeds) {
    const routing = cell.endsWith('-routing') ? ', aggregator routing' : '';
    console.log(`${version}${routing}, up for ${duration(Date.now() - started)}: KUBECONFIG=${kubeconfig}`);
  }
}

const duration = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
