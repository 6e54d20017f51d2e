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
    .description('Verify every APIService continuously; serve Prometheus metrics, health endpoints and the last report');
  withClusters(command, '30s', 'Time limit for each run for a cluster')
    .addOption(
      new Option('--listen <address>', 'Address to serve on, for example 127.0.0.1:8080')
        .argParser(listenAddress)
        .default({ host: undefined, port: 8080 }, ':8080'),
    )
    .addOption(
      new Option('--interval <duration>', 'Time between two runs for a cluster; changes cause additional runs')
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
  /healthz      200 while no run is overdue for any cluster, otherwise 503
  /readyz       200 after the first run for every cluster
  /report.json  The last report
  /             The last report as a page

The paths need no authentication. On a loopback address, a request is refused if its Host
header is neither localhost nor that address. SIGTERM and SIGHUP end the monitor with exit code 0.
`;

function listenAddress(text: string): ListenAddress {
  const address = parseListen(text);
  if (!address) throw new InvalidArgumentError('Use HOST:PORT or :PORT with a port up to 65535, for example 127.0.0.1:8080.');
  return address;
}

const interval = (text: string): number =>
  limitedDuration(text, { isAllowed: (ms) => ms >= shortestInterval && ms <= longestInterval, rule: 'must be between 5s and 24h' });
