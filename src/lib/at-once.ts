/**
 * Answers that are there at once. Steps are asynchronous by their types, for a host's own ask somebody; ours often know: a token
 * seen before, a membership that came with its user. The pipeline takes such an answer as it is: a promise, and the waiting for
 * it, cost more than most of these answers.
 */

/** What is there, or will be. */
export type AtOnce<T> = T | Promise<T>

const ANSWER: unique symbol = Symbol('sallyport: what a step answers at once')

type Step = ((...given: never[]) => unknown) & {
  readonly [ANSWER]?: { readonly of: unknown; readonly answer: unknown }
}

/** Make a step of what answers at once where it can. The step itself is asynchronous: what is thrown, it rejects with. */
export function toStep<A extends unknown[], T>(answer: (...given: A) => AtOnce<T>): (...given: A) => Promise<T> {
  const step = (...given: A): Promise<T> => {
    try {
      return Promise.resolve(answer(...given))
    } catch (error) {
      return Promise.reject(error)
    }
  }
  return Object.defineProperty(step, ANSWER, { value: { of: step, answer } })
}

/** The function that a step was made of; of any other, itself. */
export function answerOf<A extends unknown[], T>(step: (...given: A) => Promise<T>): (...given: A) => AtOnce<T> {
  const known = (step as Step)[ANSWER]
  // By the function itself: what a host puts in its place, or around it with all its members, is another one.
  return known?.of === step ? (known.answer as typeof step) : step
}

/**
 * Whether something has to be waited for, whoever made the promise. Where an answer can only be an object, `'then' in answer` asks the
 * same: on the way of every request each question at its own place, for V8 to know the shapes there.
 */
export function isPending<T>(answer: AtOnce<T>): answer is Promise<T> {
  return typeof (answer as Partial<Promise<T>> | null | undefined)?.then === 'function'
}

/**
 * Whether what had to be answered at once comes later. What it rejects with in the end nobody listens to, which would end the
 * process: it is heard here.
 */
export function isLate(answer: unknown): boolean {
  if (!isPending(answer)) return false
  Promise.resolve(answer).catch(() => undefined)
  return true
}

/**
 * Require that a function of the host's has answered at once, by no promise, which would be taken for another answer.
 * @param option its name, as the host wrote it
 * @throws Error naming it
 */
export function requireAtOnce<T>(option: string, answer: T): T {
  if (!isLate(answer)) return answer
  throw new Error(`sallyport: ${option} must answer at once, not by a promise`)
}

/** Go on with an answer: at once where it is there. */
export function follow<T, R>(answer: AtOnce<T>, next: (answer: T) => AtOnce<R>): AtOnce<R> {
  return isPending(answer) ? Promise.resolve(answer).then(next) : next(answer)
}

/**
 * Go on once an answer is there. What `next` needs beside it is handed in: where the answer was there, it is called without this,
 * and a function made anew for each request costs as much as a step.
 */
export function later<T, G, R>(answer: PromiseLike<T>, next: (answer: T, given: G) => AtOnce<R>, given: G): Promise<R> {
  return Promise.resolve(answer).then((each) => next(each, given))
}
