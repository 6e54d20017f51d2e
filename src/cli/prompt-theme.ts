import type { ChalkInstance } from 'chalk';

/** Inquirer's own look, in colours that --no-color switches off. */
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

/** A list has its reason between the question and the choices, as long as it is not answered. */
export const listStyle = (why: string | undefined, { bold, cyan, dim }: ChalkInstance) => ({
  message: (text: string, status: string) => (status === 'done' || why === undefined ? bold(text) : `${bold(text)}\n${dim(why)}`),
  description: (text: string) => cyan(text),
  keysHelpTip: (keys: [key: string, action: string][]) => dim(keys.map(([key, action]) => `${key} ${action}`).join(', ')),
});
