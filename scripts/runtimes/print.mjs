/** The pipeline as a program: prints its line, and fails where the pipeline does. The process must end by itself. */
import { logIn } from './login.mjs'
import { smoke } from './smoke.mjs'

const line = await smoke(logIn)
if (!line.startsWith('smoke: ok')) throw new Error(line)
console.log(line)
