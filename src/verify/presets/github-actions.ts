/** The preset of GitHub Actions: jobs, by the tokens that GitHub gives them. */
import {
  checkedBy,
  type OptionType,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../../lib/parse-options.ts'
import { describeText } from '../../lib/secret-check.ts'
import type { IssuerOptions } from '../issuer-options.ts'
import { grantShape, type MachineGrant } from '../machine-rules.ts'
import { callersOnly, given, someCallers } from './callers.ts'
import { type Audience, describeServerUrl, type PresetOptions, placesOf, presetShape } from './preset.ts'

/**
 * Jobs that are one caller. All that is said must be so, exactly; an environment, a ref or a workflow is said besides the
 * repository, since whoever may push a branch to it writes the workflows on that branch.
 */
export interface GithubActionsCaller extends MachineGrant {
  /** The id of the repository, digits as text: its name can be changed, and then taken by somebody else. */
  readonly repositoryId: string
  /** The id of its owner, so that a repository that was given away is refused. */
  readonly repositoryOwnerId?: string | undefined
  /** The environment of the job; its rules in GitHub say which branches may use it, and who approves. */
  readonly environment?: string | undefined
  /** The branch or tag: `refs/heads/main`. */
  readonly ref?: string | undefined
  /** The workflow, with where it is from: `acme/contacts/.github/workflows/deploy.yml@refs/heads/main`. It has names in it. */
  readonly workflowRef?: string | undefined
  /** The reusable workflow that the job is in, likewise. */
  readonly jobWorkflowRef?: string | undefined
  /**
   * What has set it off, one event or several. Default: `push`, `release`, `schedule` and `workflow_dispatch`, which take the
   * right to write to the repository; a pull request, a comment and what follows them do not.
   */
  readonly eventName?: string | readonly string[] | undefined
}

/** Options of {@link githubActions}. */
export interface GithubActionsOptions extends PresetOptions {
  /** What your jobs ask their tokens for: a URL of your own service. */
  readonly audience: Audience
  /** Who may call, by the names that routes accept: `{ deploy: { repositoryId: '123456789', environment: 'production' } }`. */
  readonly callers: Readonly<Record<string, GithubActionsCaller>>
  /**
   * Default `https://token.actions.githubusercontent.com`. An enterprise may have an issuer of its own, GitHub Enterprise Server
   * has `https://<host>/_services/token`.
   */
  readonly issuer?: string | undefined
}

const githubActionsShape = (): Shape<GithubActionsOptions> => ({
  audience: checkedBy(describeAudience),
  callers: someCallers<GithubActionsCaller>({
    repositoryId: checkedBy(describeId),
    repositoryOwnerId: optional(checkedBy(describeId)),
    environment: optional(checkedBy(describeExact)),
    ref: optional(checkedBy(describeRef)),
    workflowRef: optional(checkedBy(describeWorkflow)),
    jobWorkflowRef: optional(checkedBy(describeWorkflow)),
    eventName: optional(someEvents()),
    ...grantShape(),
  }),
  issuer: optional(checkedBy(describeServerUrl)),
  ...presetShape(),
})

const NAME = 'githubActions'
const EVENTS = ['push', 'release', 'schedule', 'workflow_dispatch']

/**
 * Write the issuer of GitHub Actions. One key signs the tokens of every repository there is, and a job may ask for any
 * audience: who calls is told by ids alone. `sub` has names in it, of which everybody may take one that was given up, and can be
 * made of other claims; the name of a workflow and whoever set it off prove nothing. A fork has an id of its own. Its tokens are
 * machines' always; those of jobs that no caller is are refused. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'discovery', algorithms: ['RS256'] }], audience, types: ['JWT'], machine, machines, accepts, people: 'own' }`
 * @throws OptionsError a repository by its name, a caller of any branch and workflow, a wildcard, a branch that is no full ref,
 * GitHub's own audience
 * @example
 * githubActions({
 *   audience: 'https://api.example.com',
 *   callers: { deploy: { repositoryId: '123456789', environment: 'production', permissions: ['releases:write'] } },
 * })
 */
export function githubActions(options: GithubActionsOptions): IssuerOptions {
  const parsed = parseOptions(NAME, githubActionsShape(), options)
  const { audience, callers, issuer = 'https://token.actions.githubusercontent.com', claims } = parsed
  for (const [name, { environment, ref, workflowRef, jobWorkflowRef }] of Object.entries(callers)) {
    if ([environment, ref, workflowRef, jobWorkflowRef].some((each) => each !== undefined)) continue
    const sentence = 'must name an environment, a ref or a workflow: whoever may push a branch has a workflow on it'
    throw optionsError(NAME, `callers.${name}`, sentence)
  }
  return {
    issuer,
    keys: [{ kind: 'discovery', algorithms: ['RS256'] }],
    audience,
    types: ['JWT'],
    claims: placesOf({}, claims),
    ...callersOnly(callers, (caller) => ({
      repository_id: caller.repositoryId,
      ...given({
        repository_owner_id: caller.repositoryOwnerId,
        environment: caller.environment,
        ref: caller.ref,
        workflow_ref: caller.workflowRef,
        job_workflow_ref: caller.jobWorkflowRef,
      }),
      event_name: [caller.eventName ?? EVENTS].flat(),
    })),
  }
}

function describeAudience(value: unknown): string | null {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  const wrong = names.length === 0 ? 'must not be empty' : names.map(describeText).find((each) => each !== null)
  if (wrong != null) return wrong
  return names.some((name) => /^https:\/\/github\.com(\/|$)/.test(name as string))
    ? 'is what a job asks tokens for where it says nothing, and gives to others too: use the URL of your service'
    : null
}

function describeId(value: unknown): string | null {
  if (typeof value === 'number') return 'must be text: the digits in quotes'
  if (typeof value === 'string' && value.includes('/')) {
    return 'is a name, which somebody else can have tomorrow: use the id, `gh api repos/<owner>/<repository> --jq .id`'
  }
  return typeof value === 'string' && /^[1-9]\d{0,19}$/.test(value) ? null : 'must be an id, digits as text'
}

function describeExact(value: unknown): string | null {
  const wrong = describeText(value)
  if (wrong !== null) return wrong
  return (value as string).includes('*') ? 'must be exact: there are no wildcards' : null
}

function describeRef(value: unknown): string | null {
  const wrong = describeExact(value)
  if (wrong !== null) return wrong
  return /^refs\/(heads|tags)\/./.test(value as string) ? null : 'must be a branch or a tag in full: refs/heads/main'
}

function describeWorkflow(value: unknown): string | null {
  const wrong = describeExact(value)
  if (wrong !== null) return wrong
  return /^[^/]+\/[^/]+\/\.github\/workflows\/[^@]+@.+$/.test(value as string)
    ? null
    : 'must be a workflow in full: acme/contacts/.github/workflows/deploy.yml@refs/heads/main'
}

function someEvents(): OptionType<string | readonly string[]> {
  return checkedBy((value) => {
    const names: readonly unknown[] = Array.isArray(value) ? value : [value]
    const areNames = names.every((name) => typeof name === 'string' && /^[a-z_]+$/.test(name))
    return names.length > 0 && areNames ? null : 'must be an event or several, as workflows name them: push'
  })
}
