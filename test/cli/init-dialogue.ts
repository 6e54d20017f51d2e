import type { Screen } from './tmux.ts';

/** Every question for a server of one's own, in its order, with an answer; an empty one takes what is proposed. */
export const questions = [
  [/\? Preset to start from/, ''],
  [/\? API that the server serves \(group\/version\)/, 'my.example.com/v1'],
  [/\? Container image of the server/, 'example.com/api:v1'],
  [/\? Name of the server \(demo\)/, ''],
  [/\? Namespace \(demo\)/, 'apis'],
  [/\? Name of the Service \(demo\)/, ''],
  [/\? Write these 7 files\? \(yes\)/, ''],
] as const;

/** Answers that many questions, and waits for the next one, or for the end. */
export async function answer(screen: Screen, count: number): Promise<string> {
  for (const [question, text] of questions.slice(0, count)) {
    await screen.until(question);
    screen.type(...(text === '' ? [] : [text]), 'Enter');
  }
  return screen.until(questions[count]?.[0] ?? /exit code/);
}
