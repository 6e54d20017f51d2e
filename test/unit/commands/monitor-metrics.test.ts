import { describe, expect, test } from 'vitest';
import { makeMetrics } from '../../../src/commands/monitor-metrics.ts';
import { counters, gauges, type Monitored, runDuration } from '../../../src/report/metrics.ts';
import { broken, healthy, several } from '../report/diagnoses.ts';

const apiservice = 'v1alpha1.wardle.example.com';
const at = (diagnosis: NonNullable<Monitored['last']>['diagnosis'], more: Partial<NonNullable<Monitored['last']>> = {}): Monitored => ({
  context: 'staging',
  last: { diagnosis, certificates: new Map(), rotating: new Set(), ...more },
});

/** The samples of apisvc in the text format, without the histogram. */
async function samplesOf(...states: readonly Monitored[]): Promise<string[]> {
  const text = await makeMetrics(() => states, ['staging'], '1.2.3').text();
  return text.split('\n').filter((line) => line.startsWith('apisvc_') && !line.startsWith(runDuration.name));
}

describe('the metrics', () => {
  test('of a healthy API', async () => {
    const certificates = new Map([[apiservice, [{ place: 'endpoint', name: 'api-0', notAfter: '2027-06-15T12:00:00.000Z' }] as const]]);
    expect(await samplesOf(at(healthy, { certificates, rotating: new Set([apiservice]) }))).toEqual([
      'apisvc_build_info{version="1.2.3"} 1',
      'apisvc_last_run_success{context="staging"} 1',
      `apisvc_last_run_timestamp_seconds{context="staging"} ${Date.parse(healthy.takenAt) / 1000}`,
      `apisvc_apiservice_state{context="staging",apiservice="${apiservice}",state="healthy"} 1`,
      `apisvc_apiservice_state{context="staging",apiservice="${apiservice}",state="broken"} 0`,
      `apisvc_apiservice_state{context="staging",apiservice="${apiservice}",state="unknown"} 0`,
      `apisvc_apiservice_available{context="staging",apiservice="${apiservice}"} 1`,
      `apisvc_checks_not_run{context="staging",apiservice="${apiservice}"} 0`,
      `apisvc_certificate_expiry_timestamp_seconds{context="staging",apiservice="${apiservice}",place="endpoint",name="api-0"} 1813060800`,
      `apisvc_rotation_in_progress{context="staging",apiservice="${apiservice}"} 1`,
      'apisvc_runs_total{context="staging"} 0',
      'apisvc_run_failures_total{context="staging"} 0',
      'apisvc_kube_apiserver_requests_total{context="staging"} 0',
    ]);
  });

  test('name the findings of a broken API', async () => {
    const [api] = broken.apis;
    const found = (await samplesOf(at(broken))).filter((line) => line.startsWith('apisvc_finding'));
    expect(found).toEqual(
      api?.findings.map(
        ({ code, severity }) => `apisvc_finding{context="staging",apiservice="${apiservice}",code="${code}",severity="${severity}"} 1`,
      ),
    );
  });

  test('claim nothing that a failed run did not see', async () => {
    const lines = await samplesOf({ ...at(broken), error: 'connection refused' });
    expect(lines).toContain('apisvc_last_run_success{context="staging"} 0');
    expect(lines).toContain(`apisvc_apiservice_state{context="staging",apiservice="${apiservice}",state="unknown"} 1`);
    expect(lines.filter((line) => /^apisvc_(finding|apiservice_available|checks_not_run|rotation_in_progress)/.test(line))).toEqual([]);
  });

  test('before the first run are counters only', async () => {
    const lines = await samplesOf({ context: 'staging' });
    expect(lines.map((line) => line.split('{')[0])).toEqual(['apisvc_build_info', ...Object.values(counters).map(({ name }) => name)]);
  });

  test('end with their APIService', async () => {
    const states = [at(several)];
    const metrics = makeMetrics(() => states, ['staging'], '1.2.3');
    expect(await metrics.text()).toContain('apisvc_apiservice_state');
    states[0] = at({ ...healthy, apis: [] });
    expect(await metrics.text()).not.toContain('apisvc_apiservice_state{');
  });

  test('count runs and requests', async () => {
    const metrics = makeMetrics(() => [], ['staging'], '1.2.3');
    metrics.countRequest('staging');
    metrics.countRun('staging', { seconds: 0.2, failed: true });
    const text = await metrics.text();
    expect(text).toContain('apisvc_kube_apiserver_requests_total{context="staging"} 1\n');
    expect(text).toContain('apisvc_run_failures_total{context="staging"} 1\n');
    expect(text).toContain('apisvc_run_duration_seconds_sum{context="staging"} 0.2\n');
  });

  test('follow the naming conventions of Prometheus', () => {
    for (const { name, help } of [...gauges, ...Object.values(counters), runDuration]) {
      expect(name).toMatch(/^apisvc(_[a-z]+)+$/);
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
    for (const { name } of gauges) expect(name).not.toMatch(/_(total|count|sum|bucket)$/);
    for (const { name } of Object.values(counters)) expect(name).toMatch(/_total$/);
  });
});
