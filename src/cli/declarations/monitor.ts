import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ListenAddress, parseListen } from '../../commands/listen.ts';
import type { MonitorFlags } from '../../commands/monitored-cluster.ts';
import type { Terminal } from '../../commands/terminal.ts';
import type { Run } from '../action.ts';
import { examples, limitedDuration, withClusters } from '../options.ts';

const shortestInterval = 5_000;
/** With the spread, a timer can still wait it (setTimeout). */
const longestInterval = 86_400_000;

/** Adds `apisvc monitor`. */
export function addMonitor(program: Command, run: Run): void {
  const command = program
    .command('monitor')
    .description('Verify every APIService continuously, and serve Prometheus metrics, health endpoints and the latest report');
  withClusters(command, '30s', 'Time limit for each run, which verifies one cluster')
    .addOption(
      new Option('--listen <address>', 'Address to serve on, for example 127.0.0.1:8080')
        .argParser(listenAddress)
        .default({ host: undefined, port: 8080 }, ':8080'),
    )
    .addOption(
      new Option('--interval <duration>', 'Time between two runs for the same cluster; changes in the cluster trigger additional runs')
        .argParser(interval)
        .default(60_000, '1m'),
    )
    .option('--events', 'Create an Event on an APIService when its state changes')
    .addHelpText(
      'after',
      `${examples(
        'apisvc monitor --listen 127.0.0.1:8080',
        'apisvc monitor --context staging --context production --interval 5m',
      )}${paths}`,
    )
    .action(
      run(async () => {
        const [{ monitor }, { version }] = await Promise.all([import('../../commands/monitor.ts'), import('../version.ts')]);
        return (flags: MonitorFlags, _: readonly string[], terminal: Terminal) => monitor(flags, version, terminal);
      }),
    );
}

const paths = `
Paths:
  /metrics      Metrics for Prometheus
  /healthz      200, or 503 if a run is overdue for a cluster
  /readyz       503 until the first run for every cluster has ended, then 200
  /report.json  The latest report in JSON
  /             The latest report as an HTML page

Requests to these paths need no authentication. If the monitor listens on a loopback address, it
refuses requests whose Host header is not localhost, a loopback address or the address of --listen.
SIGTERM and SIGHUP end the monitor with exit code 0.
`;

function listenAddress(text: string): ListenAddress {
  const address = parseListen(text);
  if (!address) throw new InvalidArgumentError('Use HOST:PORT or :PORT with a port up to 65535, for example 127.0.0.1:8080.');
  return address;
}

const interval = (text: string): number =>
  limitedDuration(text, { isAllowed: (ms) => ms >= shortestInterval && ms <= longestInterval, rule: 'must be between 5s and 24h' });
