/**
 * What a helper opens for a test file is closed after that file, whoever else has loaded the helper: files of one process share its
 * modules, and a hook at the top of a module would be the first file's alone.
 */
const opened: (() => unknown)[] = []

/** Do this after the tests of the file that runs. */
export function afterFile(undo: () => unknown): void {
  opened.push(undo)
}

/** Do what was left for the end of the file. For `setup.ts` alone. */
export async function closeOpened(): Promise<void> {
  await Promise.all(opened.splice(0).map((undo) => undo()))
}
