/** The commands, in the order of the help. */
export const commandNames = [
  'init',
  'render',
  'register',
  'rotate',
  'secure',
  'unregister',
  'verify',
  'status',
  'monitor',
  'lint',
  'explain',
  'sandbox',
  'completion',
];
