/** What is loaded at run time by its name, where somebody builds a service: a file of the package that nothing imports. */
export { createNotice } from './notice.ts'
