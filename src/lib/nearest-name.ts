/** What somebody may have meant by a name that there is not. */

/**
 * Find the name that is nearest to another one by letters added, dropped, changed or swapped, whatever their case; `null`
 * where none is near: two of its letters may differ, in a name of up to three letters one.
 */
export function nearestOf(name: string, names: Iterable<string>): string | null {
  let nearest: string | null = null
  let least = Number.POSITIVE_INFINITY
  for (const each of names) {
    const distance = distanceOf(name.toLowerCase(), each.toLowerCase())
    const most = each.length > 3 ? 2 : 1
    if (distance <= most && distance < least) [nearest, least] = [each, distance]
  }
  return nearest
}

const MAX_LENGTH = 100

// Optimal string alignment, row by row.
function distanceOf(one: string, other: string): number {
  if (one.length > MAX_LENGTH || other.length > MAX_LENGTH) return one === other ? 0 : MAX_LENGTH
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1]
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const steps = [(row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1)]
      row.push(Math.min(...steps, ...(swapped ? [(before[j - 2] ?? 0) + 1] : [])))
    }
    ;[before, last] = [last, row]
  }
  return last[other.length] ?? 0
}
