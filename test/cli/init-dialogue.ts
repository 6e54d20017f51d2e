import type { Screen } from './tmux.ts';

/** The prompts for a custom server, with their answers. An empty answer takes the default. */
export const questions = [
  [/\? Preset to start from/, ''],
  [/\? API that the server serves \(group\/version\)/, 'my.example.com/v1'],
  [/\? Container image of the server/, 'example.com/api:v1'],
  [/\? Name of the server \(demo\)/, ''],
  [/\? Namespace \(demo\)/, 'apis'],
  [/\? Name of the Service \(demo\)/, ''],
  [/\? Issuer of the serving certificate/, ''],
  [/\? Write these 7 files\? \(yes\)/, ''],
] as const;

/** Answers the first `count` prompts. @returns the screen with the next prompt, or at the end */
export async function answer(screen: Screen, count: number): Promise<string> {
  for (const [question, text] of questions.slice(0, count)) {
    await screen.until(question);
    screen.type(...(text === '' ? [] : [text]), 'Enter');
  }
  return screen.until(questions[count]?.[0] ?? /exit code/);
}
