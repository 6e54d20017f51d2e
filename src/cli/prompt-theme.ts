import type { ChalkInstance } from 'chalk';

/** The default theme of Inquirer, in colors that --no-color disables. */
export const themeOf = ({ blue, green, bold, cyan, dim, red }: ChalkInstance) => ({
  prefix: { idle: blue('?'), done: green('✔') },
  style: {
    answer: (text: string) => cyan(text),
    message: (text: string) => bold(text),
    error: (text: string) => red(`> ${text}`),
    defaultAnswer: (text: string) => dim(`(${text})`),
    help: (text: string) => dim(text),
    highlight: (text: string) => cyan(text),
  },
});

export type PromptTheme = ReturnType<typeof themeOf>;

/**
 * The theme of a list: the reason stands between the question and the choices until it is answered.
 */
export const listStyle = (why: string | undefined, { bold, cyan, dim }: ChalkInstance) => ({
  message: (text: string, status: string) => (status === 'done' || why === undefined ? bold(text) : `${bold(text)}\n${dim(why)}`),
  description: (text: string) => cyan(text),
  keysHelpTip: (keys: [key: string, action: string][]) => dim(keys.map(([key, action]) => `${key} ${action}`).join(', ')),
});
