/** What a guide is: whose apps run side by side, in which surroundings, and what is asked of both. */

/** Which of the two apps: what was there, or what comes in its place. */
export type Side = 'before' | 'after'

/** What the apps of a guide run in. */
export interface World {
  readonly env: Readonly<Record<string, string>>
  /** What both say to a good request, as JSON. */
  readonly usual: string
  close(): Promise<void>
}

/** The app that is asked. */
export interface AskedApp {
  readonly side: Side
  readonly url: string
}

/** What a request is made of. */
export type Request = RequestInit & { readonly query?: string }

/** A request: its title in the guide, and what makes it. */
export interface Asked<W> {
  readonly title: string
  /** What is otherwise in the environment of both apps. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Its refusals are compared by what they say, too. */
  readonly saying?: boolean | undefined
  request(world: W, app: AskedApp): Promise<Request>
}

/** A request of a world that is there. */
export interface BoundRequest {
  readonly title: string
  readonly path: string
  readonly env: Readonly<Record<string, string>>
  readonly saying: boolean
  request(app: AskedApp): Promise<Request>
}

/** A guide whose world is there. */
export interface OpenGuide {
  readonly usual: string
  readonly asked: readonly BoundRequest[]
  close(): Promise<void>
}

/** A guide: `docs/coming-from-<name>.md`, `examples/moving/<name>/`. */
export interface Guide {
  readonly name: string
  open(): Promise<OpenGuide>
}

/** Make a guide of what makes its world and what is asked, by route. The title of a request names its route, but `/api/me`. */
export function guide<W extends World>(
  name: string,
  createWorld: () => Promise<W>,
  asked: Readonly<Record<string, readonly Asked<W>[]>>,
): Guide {
  const bind = (world: W, path: string, each: Asked<W>): BoundRequest => ({
    title: path === '/api/me' ? each.title : `\`${path}\`: ${each.title}`,
    path,
    env: { ...world.env, ...each.env },
    saying: each.saying ?? false,
    request: (app) => each.request(world, app),
  })
  return {
    name,
    async open() {
      const world = await createWorld()
      return {
        usual: world.usual,
        asked: Object.entries(asked).flatMap(([path, those]) => those.map((each) => bind(world, path, each))),
        close: () => world.close(),
      }
    },
  }
}
