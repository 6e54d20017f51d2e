import type { ChalkInstance } from 'chalk';
import type { Registration } from '../config/schema.ts';
import type { Status } from '../diagnosis/status.ts';
import type { Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import type { Manifest, ManifestFile } from '../manifests/types.ts';
import type { FailedRun } from './failed-run.ts';

/** The commands that take `-o`. */
export type FormatCommand = 'verify' | 'status' | 'lint' | 'sandbox' | 'register' | 'rotate' | 'secure' | 'unregister' | 'render';

/** A format of `-o`: who accepts it, and how it renders. Reporters are imported when they run. */
interface Format {
  /** One line for shell completion. */
  readonly description: string;
  readonly commands: readonly FormatCommand[];
  readonly diagnosis?: (diagnosis: Diagnosis, colors: ChalkInstance) => Promise<string>;
  /** One document, which cannot follow another one. */
  readonly once?: true;
  /** Several clusters in one report, which is made `at` this time. */
  readonly list?: (list: DiagnosisList, colors: ChalkInstance, at: string) => Promise<string>;
  /**
   * The report of a command that ends with an error. Only for formats that CI systems read: they
   * show it where people look for the result.
   */
  readonly failedRun?: (run: FailedRun) => Promise<string>;
  /** Markdown for the file that GitHub Actions names in GITHUB_STEP_SUMMARY. */
  readonly stepSummary?: (diagnosis: Diagnosis) => Promise<string>;
  readonly listSummary?: (list: DiagnosisList, at: string) => Promise<string>;
  /** The certificates of one API at every place. */
  readonly status?: (status: Status, colors: ChalkInstance) => Promise<string>;
  /** Manifests as one text for stdout. Without it, the format needs an output directory. */
  readonly manifests?: (manifests: readonly Manifest[]) => Promise<string>;
  /** Manifests as files for an output directory. Without it, the format goes to stdout only. */
  readonly manifestFiles?: (manifests: readonly Manifest[]) => Promise<readonly ManifestFile[]>;
  /** The same with what the registration decides. Only the manifests of a project have one. */
  readonly chartFiles?: (manifests: readonly Manifest[], registration: Registration) => Promise<readonly ManifestFile[]>;
}

/**
 * Every format that `-o` accepts. Options, help, completion and reports are derived from this
 * table. A command's default is the first format that names it.
 */
export const formats = {
  text: {
    description: 'Human-readable report',
    commands: ['verify', 'lint', 'sandbox', 'register', 'rotate', 'secure', 'unregister'],
    diagnosis: async (diagnosis, colors) => (await import('./text.ts')).diagnosisText(diagnosis, colors),
    list: async (list, colors) => (await import('./text.ts')).listText(list, colors),
  },
  table: {
    description: 'Table with one row for each certificate',
    commands: ['status'],
    status: async (status, colors) => (await import('./status.ts')).statusTable(status, colors),
  },
  wide: {
    description: 'Table with more columns',
    // Files have no endpoints and no conditions to fill the columns with.
    commands: ['verify', 'status', 'sandbox'],
    status: async (status, colors) => (await import('./status.ts')).statusWide(status, colors),
    diagnosis: async (diagnosis, colors) => (await import('./wide.ts')).diagnosisWide(diagnosis, colors),
    list: async (list, colors) => (await import('./wide.ts')).listWide(list, colors),
  },
  short: {
    description: 'One line for each API',
    commands: ['verify', 'lint', 'sandbox'],
    diagnosis: async (diagnosis, colors) => (await import('./short.ts')).diagnosisShort(diagnosis, colors),
    list: async (list, colors) => (await import('./short.ts')).listShort(list, colors),
  },
  yaml: {
    description: 'YAML',
    commands: ['verify', 'status', 'lint', 'sandbox', 'render'],
    status: async (status) => (await import('./yaml.ts')).plainYaml(status),
    diagnosis: async (diagnosis) => (await import('./yaml.ts')).diagnosisYaml(diagnosis),
    list: async (list) => (await import('./yaml.ts')).diagnosisYaml(list),
    manifests: async (manifests) => (await import('../manifests/outputs/yaml.ts')).manifestsYaml(manifests),
    manifestFiles: async (manifests) => (await import('../manifests/outputs/yaml.ts')).yamlFiles(manifests),
  },
  json: {
    description: 'JSON',
    commands: ['verify', 'status', 'lint', 'sandbox', 'register', 'rotate', 'secure', 'unregister', 'render'],
    status: async (status) => (await import('./json.ts')).statusJson(status),
    diagnosis: async (diagnosis) => (await import('./json.ts')).diagnosisJson(diagnosis),
    list: async (list) => (await import('./json.ts')).diagnosisJson(list),
    manifests: async (manifests) => (await import('../manifests/outputs/json.ts')).manifestsJson(manifests),
  },
  junit: {
    description: 'JUnit XML for CI systems',
    commands: ['verify', 'lint', 'sandbox'],
    once: true,
    list: async (list, _, at) => (await import('./junit.ts')).diagnosisJunit((await import('./clusters.ts')).mergedDiagnosis(list, at)),
    diagnosis: async (diagnosis) => (await import('./junit.ts')).diagnosisJunit(diagnosis),
    failedRun: async (run) => (await import('./junit.ts')).failedJunit(run),
  },
  sarif: {
    description: 'SARIF 2.1.0 for code scanning',
    commands: ['verify', 'lint', 'sandbox'],
    once: true,
    list: async (list, _, at) => (await import('./sarif.ts')).diagnosisSarif((await import('./clusters.ts')).mergedDiagnosis(list, at)),
    diagnosis: async (diagnosis) => (await import('./sarif.ts')).diagnosisSarif(diagnosis),
    failedRun: async (run) => (await import('./sarif.ts')).failedSarif(run),
  },
  github: {
    description: 'Annotations and a step summary for GitHub Actions',
    commands: ['verify', 'lint', 'sandbox'],
    once: true,
    list: async (list, _, at) =>
      (await import('./github.ts')).diagnosisGithub((await import('./clusters.ts')).mergedDiagnosis(list, at)).annotations,
    diagnosis: async (diagnosis) => (await import('./github.ts')).diagnosisGithub(diagnosis).annotations,
    failedRun: async (run) => (await import('./github.ts')).failedGithub(run),
    listSummary: async (list, at) =>
      (await import('./github.ts')).diagnosisGithub((await import('./clusters.ts')).mergedDiagnosis(list, at)).summary,
    stepSummary: async (diagnosis) => (await import('./github.ts')).diagnosisGithub(diagnosis).summary,
  },
  html: {
    description: 'Self-contained HTML page',
    commands: ['verify', 'lint', 'sandbox'],
    once: true,
    list: async (list, _, at) => (await import('./html.ts')).diagnosisHtml((await import('./clusters.ts')).mergedDiagnosis(list, at)),
    diagnosis: async (diagnosis) => (await import('./html.ts')).diagnosisHtml(diagnosis),
  },
  kustomize: {
    description: 'Files with a kustomization.yaml',
    commands: ['render'],
    manifestFiles: async (manifests) => (await import('../manifests/outputs/kustomize.ts')).kustomizeFiles(manifests),
  },
  helm: {
    description: 'Helm chart',
    commands: ['render'],
    chartFiles: async (manifests, registration) => (await import('../manifests/outputs/helm.ts')).helmFiles(manifests, registration),
  },
} as const satisfies Readonly<Record<string, Format>>;

type Formats = typeof formats;

export type FormatName = keyof Formats;

/** The formats with this renderer. */
type FormatWith<Renderer extends keyof Format> = {
  [Name in FormatName]: Formats[Name] extends Required<Pick<Format, Renderer>> ? Name : never;
}[FormatName];

export type DiagnosisFormat = FormatWith<'diagnosis'>;
export type StatusFormat = FormatWith<'status'>;
export type ManifestFormat = FormatWith<'manifests'> | FormatWith<'manifestFiles'> | FormatWith<'chartFiles'>;

const names = Object.keys(formats) as FormatName[];

/** What the table says of a format. */
export const formatOf = (name: FormatName): Format => formats[name];

/** The formats that a command accepts; the first is its default. */
export const formatsOf = (command: FormatCommand): FormatName[] => names.filter((name) => formatOf(name).commands.includes(command));
