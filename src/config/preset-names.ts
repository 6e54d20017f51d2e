/** The presets by name; apart from their texts, so that the command line can list them without loading any. */
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
