/** Fields of request bodies, as more than one example reads them. */
import * as z from 'zod'

/** A text to show: not blank, at most 255 characters, well-formed and without control characters. */
export const text: z.ZodString = z
  .string()
  .max(255)
  .regex(/\S/)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u)
