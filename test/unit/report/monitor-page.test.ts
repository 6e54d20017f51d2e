import { expect, test } from 'vitest';
import { monitorPage } from '../../../src/report/monitor-page.ts';
import { healthy } from './diagnoses.ts';

const last = { diagnosis: healthy, certificates: new Map(), rotating: new Set<string>() };

test('lists the clusters with their state', () => {
  const page = monitorPage([{ context: 'staging', last }, { context: 'a&b', last, error: 'connection <refused>' }, { context: 'new' }]);
  expect(page).toContain('<h2>staging</h2>\n<p>v1alpha1.wardle.example.com: healthy, observed at');
  expect(page).toContain('<h2>a&amp;b</h2>\n<p class="failure"><strong>The last run failed:</strong> connection &lt;refused&gt;</p>');
  expect(page).toContain('<a href="/?context=a%26b">Report</a>');
  expect(page).toContain('<h2>new</h2>\n<p>No report yet.</p>');
});
