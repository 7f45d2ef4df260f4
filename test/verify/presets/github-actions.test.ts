import { describe } from 'vitest'
import { githubActions } from '../../../src/verify/presets/github-actions.ts'
import { describeMistakes, describePreset } from './preset-cases.ts'

const deploy = { repositoryId: '123456789', environment: 'production', orgId: null, role: 'admin' } as const
const options = { audience: 'https://api.example.com', callers: { deploy } }
const preset = githubActions(options)
const of = (caller: object) =>
  githubActions({ ...options, callers: { deploy: { repositoryId: '123456789', ...caller } } })
const onMain = of({ ref: 'refs/heads/main' })
const WORKFLOW = 'acme/contacts/.github/workflows/deploy.yml@refs/heads/main'

// A job of a workflow that was set off by a push.
const job = {
  iss: 'https://token.actions.githubusercontent.com',
  aud: 'https://api.example.com',
  sub: 'repo:acme/contacts:environment:production',
  jti: '58772c9f-4d75-4fc8-8956-7dd522569a00',
  actor: 'ada',
  actor_id: '43356',
  base_ref: '',
  environment: 'production',
  event_name: 'push',
  head_ref: '',
  job_workflow_ref: WORKFLOW,
  job_workflow_sha: '0f661a4a011d77cb21fa4dc7013d9b6f928666ed',
  ref: 'refs/heads/main',
  ref_protected: 'true',
  ref_type: 'branch',
  repository: 'acme/contacts',
  repository_id: '123456789',
  repository_owner: 'acme',
  repository_owner_id: '987654',
  repository_visibility: 'private',
  run_attempt: '1',
  run_id: '14144996512',
  run_number: '3',
  runner_environment: 'github-hosted',
  sha: '0f661a4a011d77cb21fa4dc7013d9b6f928666ed',
  workflow: 'Deploy',
  workflow_ref: WORKFLOW,
  workflow_sha: '0f661a4a011d77cb21fa4dc7013d9b6f928666ed',
}
const pull = {
  sub: 'repo:acme/contacts:pull_request',
  event_name: 'pull_request',
  ref: 'refs/pull/7/merge',
  head_ref: 'feature',
  base_ref: 'main',
  environment: undefined,
  ref_protected: 'false',
}
const DEPLOY = { name: 'deploy', orgId: null, role: 'admin', permissions: null }
const deployed = { kind: 'machine', machine: DEPLOY } as const
const named = { kind: 'machine', machine: { ...DEPLOY, orgId: undefined, role: null } } as const
const notAccepted = ['forbidden', 'token_kind_not_accepted'] as const

describePreset({
  name: 'GitHub Actions',
  preset,
  page: 'github-actions.long.ts',
  base: { claims: job, typ: 'JWT' },
  cases: [
    { label: 'a job in the environment', expected: { ...deployed, subject: job.sub, email: null, scopes: null } },
    { label: 'one that was set off by hand', claims: { event_name: 'workflow_dispatch' }, expected: deployed },
    { label: 'one by a timer', claims: { event_name: 'schedule' }, expected: deployed },
    {
      label: 'the repository after it was renamed: the id is the same',
      claims: { repository: 'acme/people', sub: 'repo:acme/people:environment:production' },
      expected: deployed,
    },
    {
      label: 'its subject with ids in it',
      claims: { sub: 'repo:acme@987654/contacts@123456789:environment:production' },
      expected: deployed,
    },
    {
      label: 'another repository that has taken the name',
      claims: { repository_id: '555555555' },
      expected: notAccepted,
    },
    {
      label: 'a fork',
      claims: {
        repository_id: '222222222',
        repository: 'eve/contacts',
        repository_owner_id: '666',
        sub: 'repo:eve/contacts:environment:production',
      },
      expected: notAccepted,
    },
    {
      label: 'a repository whose subject says that it is this one',
      claims: { repository_id: '222222222', repository: 'eve/contacts' },
      expected: notAccepted,
    },
    { label: 'the id as a number', claims: { repository_id: 123_456_789 }, expected: notAccepted },
    { label: 'the id with more behind it', claims: { repository_id: '1234567890' }, expected: notAccepted },
    { label: 'no id', claims: { repository_id: undefined }, expected: notAccepted },
    { label: 'another environment', claims: { environment: 'staging' }, expected: notAccepted },
    { label: 'the environment in another case', claims: { environment: 'Production' }, expected: notAccepted },
    { label: 'no environment', claims: { environment: undefined }, expected: notAccepted },
    {
      label: 'an environment that the subject alone names',
      claims: { environment: undefined, sub: job.sub },
      expected: notAccepted,
    },
    { label: 'a pull request', claims: pull, expected: notAccepted },
    {
      label: 'a pull request, in the environment',
      claims: { ...pull, environment: 'production' },
      expected: notAccepted,
    },
    {
      label: 'a pull request of a fork, with the rights of this one',
      claims: { event_name: 'pull_request_target' },
      expected: notAccepted,
    },
    { label: 'what follows a pull request', claims: { event_name: 'workflow_run' }, expected: notAccepted },
    { label: 'a comment', claims: { event_name: 'issue_comment' }, expected: notAccepted },
    { label: 'no event', claims: { event_name: undefined }, expected: notAccepted },
    { label: 'a branch', preset: onMain, claims: { environment: undefined }, expected: named },
    { label: 'another branch', preset: onMain, claims: { ref: 'refs/heads/main2' }, expected: notAccepted },
    { label: 'a tag of the branch’s name', preset: onMain, claims: { ref: 'refs/tags/main' }, expected: notAccepted },
    {
      label: 'a pull request into the branch',
      preset: onMain,
      claims: { ...pull, ref: 'refs/pull/7/merge' },
      expected: notAccepted,
    },
    {
      label: 'a pull request with the rights of the branch',
      preset: onMain,
      claims: { event_name: 'pull_request_target', ref: 'refs/heads/main' },
      expected: notAccepted,
    },
    {
      label: 'a pull request, where one is a caller',
      preset: of({ environment: 'preview', eventName: 'pull_request' }),
      claims: { ...pull, environment: 'preview' },
      expected: named,
    },
    {
      label: 'a push, where pull requests are',
      preset: of({ environment: 'preview', eventName: 'pull_request' }),
      claims: { environment: 'preview' },
      expected: notAccepted,
    },
    { label: 'a workflow', preset: of({ workflowRef: WORKFLOW }), expected: named },
    {
      label: 'another workflow',
      preset: of({ workflowRef: WORKFLOW }),
      claims: { workflow_ref: WORKFLOW.replace('deploy', 'evil') },
      expected: notAccepted,
    },
    {
      label: 'the workflow of another branch',
      preset: of({ workflowRef: WORKFLOW }),
      claims: { workflow_ref: WORKFLOW.replace('main', 'feature') },
      expected: notAccepted,
    },
    {
      label: 'a workflow that is called the same',
      preset: of({ workflowRef: WORKFLOW }),
      claims: { workflow_ref: 'acme/contacts/.github/workflows/other.yml@refs/heads/main', workflow: 'Deploy' },
      expected: notAccepted,
    },
    { label: 'in a reusable workflow', preset: of({ jobWorkflowRef: WORKFLOW }), expected: named },
    {
      label: 'in another reusable workflow',
      preset: of({ jobWorkflowRef: WORKFLOW }),
      claims: { job_workflow_ref: WORKFLOW.replace('acme', 'eve') },
      expected: notAccepted,
    },
    { label: 'of the owner', preset: of({ environment: 'production', repositoryOwnerId: '987654' }), expected: named },
    {
      label: 'of a repository that was given away',
      preset: of({ environment: 'production', repositoryOwnerId: '987654' }),
      claims: { repository_owner_id: '666' },
      expected: notAccepted,
    },
    {
      label: 'its usual audience',
      claims: { aud: 'https://github.com/acme' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'for another service',
      claims: { aud: 'sts.amazonaws.com' },
      expected: ['unauthorized', 'token_audience_other'],
    },
    {
      label: 'an enterprise’s issuer',
      claims: { iss: `${job.iss}/acme` },
      expected: ['unauthorized', 'token_issuer_unknown'],
    },
    {
      label: 'its own issuer’s, where it has one',
      preset: githubActions({ ...options, issuer: `${job.iss}/acme` }),
      claims: { iss: `${job.iss}/acme` },
      expected: deployed,
    },
    { label: 'a type of another kind', typ: 'at+jwt', expected: ['unauthorized', 'token_type_refused'] },
  ],
})

describe('githubActions()', () => {
  const caller = (over: object) => ({ callers: { deploy: { ...deploy, ...over } } })
  describeMistakes(githubActions, options, [
    ['no callers', { callers: undefined }, 'callers'],
    ['an empty object of callers', { callers: {} }, 'callers', /must name a caller/],
    ['a caller of a name that no route can take', { callers: { 'a b': deploy } }, 'callers', /letters, digits/],
    ['a repository by its name', caller({ repositoryId: 'acme/contacts' }), 'callers.deploy.repositoryId', /is a name/],
    ['an id as a number', caller({ repositoryId: 123_456_789 }), 'callers.deploy.repositoryId', /in quotes/],
    ['a wildcard for an id', caller({ repositoryId: '*' }), 'callers.deploy.repositoryId', /must be an id/],
    ['no repository', caller({ repositoryId: undefined }), 'callers.deploy.repositoryId'],
    ['an owner by name', caller({ repositoryOwnerId: 'acme' }), 'callers.deploy.repositoryOwnerId', /must be an id/],
    ['any branch and workflow', caller({ environment: undefined }), 'callers.deploy', /whoever may push a branch/],
    [
      'an owner and no more',
      caller({ environment: undefined, repositoryOwnerId: '1' }),
      'callers.deploy',
      /must name an environment/,
    ],
    ['a wildcard of an environment', caller({ environment: 'prod*' }), 'callers.deploy.environment', /no wildcards/],
    ['a blank environment', caller({ environment: ' ' }), 'callers.deploy.environment'],
    ['a branch by its name', caller({ ref: 'main' }), 'callers.deploy.ref', /refs\/heads\/main/],
    ['a wildcard of a ref', caller({ ref: 'refs/heads/*' }), 'callers.deploy.ref', /no wildcards/],
    ['the ref of a pull request', caller({ ref: 'refs/pull/7/merge' }), 'callers.deploy.ref', /branch or a tag/],
    ['a workflow by its name', caller({ workflowRef: 'Deploy' }), 'callers.deploy.workflowRef', /in full/],
    [
      'a workflow of any branch',
      caller({ jobWorkflowRef: 'a/b/.github/workflows/c.yml' }),
      'callers.deploy.jobWorkflowRef',
      /in full/,
    ],
    [
      'a wildcard of a workflow',
      caller({ jobWorkflowRef: 'a/b/.github/workflows/c.yml@*' }),
      'callers.deploy.jobWorkflowRef',
      /no wildcards/,
    ],
    ['no event', caller({ eventName: [] }), 'callers.deploy.eventName', /must be an event/],
    ['any event', caller({ eventName: '*' }), 'callers.deploy.eventName', /must be an event/],
    ['a misspelt option', caller({ enviroment: 'production' }), 'callers.deploy.enviroment', /unknown/],
    ['a permission that is none', caller({ permissions: ['a b'] }), 'callers.deploy.permissions.0'],
    ['no audience', { audience: undefined }, 'audience'],
    ['a check that is switched off', { audience: null }, 'audience'],
    ['an empty list of audiences', { audience: [] }, 'audience', /empty/],
    ['what jobs ask for by themselves', { audience: 'https://github.com/acme' }, 'audience', /gives to others too/],
    ['an issuer with a slash', { issuer: 'https://github.example.com/_services/token/' }, 'issuer', /slash/],
    ['an issuer that is a host', { issuer: 'github.example.com' }, 'issuer'],
  ])
})
