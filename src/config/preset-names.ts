/**
 * The names of the presets. They are separate from the texts, so that the command line can list
 * them quickly.
 */
export const presetNames = [
  'custom',
  'sample-apiserver',
  'metrics-server',
  'metrics-server-existing',
  'prometheus-adapter',
  'keda',
  'demo',
] as const;

export type PresetName = (typeof presetNames)[number];
