import { timeText } from '../../pki/time-text.ts';
import { checkServing } from '../../pki/trust.ts';
import type { Observation } from '../types.ts';
import { asWarning, type Check, type CheckContext, observation, quote } from './check.ts';
import { servedBy } from './served-certificates.ts';

/** Clocks that make valid certificates look expired, or not yet valid. */
export const checkClock: Check = (context) => [...checkMachine(context), ...checkApiServer(context)];

/** The clock of this machine, compared with the one of kube-apiserver. */
function checkMachine(context: CheckContext): readonly Observation[] {
  const ahead = context.snapshot.apiServerAheadMs;
  if (ahead === undefined) return [];
  const here = new Date(context.now.getTime() - ahead);
  const difference = duration(Math.abs(ahead));
  const direction = ahead > 0 ? 'behind' : 'ahead of';
  const evidence = [
    `time of kube-apiserver: ${timeText(context.now.toISOString())}`,
    `time of this machine: ${timeText(here.toISOString())} (${difference} ${ahead > 0 ? 'behind' : 'ahead'})`,
  ];
  const found = observation('control-plane/clock-skew', evidence, { difference, direction });
  // Without a certificate that is valid only here, the API does not depend on this clock.
  if (isOutdated(context, context.now) && !isOutdated(context, here)) return [found];
  return context.reportsClock ? [asWarning(found)] : [];
}

/** Whether a certificate has expired or is not yet valid at this time. */
function isOutdated(context: CheckContext, now: Date): boolean {
  const { host, roots, api } = context;
  if (!host || api.insecureSkipTLSVerify) return false;
  const faults = servedBy(context).flatMap(({ presented }) => checkServing({ presented, roots, hostname: host, now }));
  return faults.some(({ kind }) => kind === 'expired' || kind === 'not-yet-valid');
}

const minuteMs = 60_000;

/** `17 minutes`, `3 hours`, `12 days` */
function duration(ms: number): string {
  const units = [
    ['day', 1440],
    ['hour', 60],
    ['minute', 1],
  ] as const;
  const minutes = Math.round(ms / minuteMs);
  const [unit, length] = units.find(([, each]) => minutes >= 2 * each) ?? ['minute', 1];
  return `${Math.round(minutes / length)} ${unit}s`;
}

/**
 * The end of `x509: certificate has expired or is not yet valid` (crypto/x509/verify.go, isValid).
 */
const timeInMessage = /current time (\S+) is (before|after) (\S+?)(?=["\s]|$)/;

/** More than the age of a condition, which kube-apiserver updates every 30 seconds. */
const toleranceMs = 2 * minuteMs;

/**
 * The clock of a kube-apiserver that refuses a certificate which is valid now. Its message has the
 * time of its clock. It may be another instance than the one that answers here.
 */
function checkApiServer({ messages, now }: CheckContext): readonly Observation[] {
  for (const message of messages) {
    if (message.fault !== 'expired') continue;
    const [, time = '', order, limit = ''] = timeInMessage.exec(message.text) ?? [];
    const [at, end] = [Date.parse(time), Date.parse(limit)];
    const isValidNow = order === 'after' ? now.getTime() < end : now.getTime() > end;
    if (isValidNow && Math.abs(at - now.getTime()) > toleranceMs) {
      return [observation('control-plane/wrong-clock', [quote(message), `time now: ${timeText(now.toISOString())}`], { time })];
    }
  }
  return [];
}
