/**
 * The reference: a page per entry point, made from the docstrings into docs/reference/ before the site is served or built.
 * Whatever TypeDoc warns of ends it: a link to nowhere, a name without a docstring, a `@param` of no parameter.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Application, Comment, CommentTag, Converter, ReflectionKind } from 'typedoc'
import { MarkdownPageEvent } from 'typedoc-plugin-markdown'

const root = fileURLToPath(new URL('../../', import.meta.url))
const out = `${root}docs/reference/`
const read = (path) => readFileSync(root + path, 'utf8')

const { paths } = JSON.parse(read('tsconfig.json')).compilerOptions
const purposes = new Map(
  [...read('docs/options.md').matchAll(/^\| `(sallyport[^`]*)` \| ([^|]*) \|/gm)].map(([, name, text]) => [name, text]),
)
const entries = Object.entries(paths).map(([specifier, [file]]) => ({
  specifier,
  file: root + file.slice('./'.length),
  page: specifier.split('/')[1] ?? specifier,
  purpose: purposes.get(specifier),
  names: namesOf(specifier),
}))

const UNNAMED = 'Types that the above are made of'

const app = await Application.bootstrapWithPlugins({
  plugin: ['typedoc-plugin-missing-exports', 'typedoc-plugin-markdown'],
  entryPoints: entries.map(({ file }) => file),
  tsconfig: `${root}tsconfig.json`,
  basePath: root,
  out,
  readme: 'none',
  entryFileName: 'index',
  disableGit: true,
  disableSources: true,
  excludeExternals: true,
  skipErrorChecking: true,
  placeInternalsInOwningModule: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true, invalidPath: true },
  requiredToBeDocumented: ['Variable', 'Class', 'Interface', 'TypeAlias'],
  sort: ['alphabetical-ignoring-documents'],
  groupOrder: ['Functions', 'Classes', 'Variables', '*', UNNAMED],
  outputFileStrategy: 'modules',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  useCustomAnchors: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  propertyMembersFormat: 'table',
  typeDeclarationFormat: 'table',
  tableColumnSettings: { hideModifiers: true, hideInherited: true, hideOverrides: true, hideDefaults: true },
  pageTitleTemplates: { module: ({ name }) => entries.find(({ page }) => page === name).specifier },
})

// After the plugin that adds what is not exported, before anything is sorted into groups.
app.converter.on(
  Converter.EVENT_RESOLVE_BEGIN,
  ({ project }) => {
    explain(project)
    project.children.forEach(describe)
  },
  -1,
)

// What says nothing that the signature above it does not: a type alone, type parameters without a word.
const UNSAID = [
  /^#+ Returns.*\n\n.*\n\n(?=#|\*\*\*)/gm,
  /^#+ Type Parameters.*\n\n\| Type Parameter \|( Default type \|)?\n(\|.*\n)+\n/gm,
]
app.renderer.on(MarkdownPageEvent.END, (page) => {
  page.contents = UNSAID.reduce((text, pattern) => text.replace(pattern, ''), page.contents)
})

rmSync(out, { recursive: true, force: true })
const project = await app.convert()
if (project) check(project)
if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1)
await app.generateOutputs(project)
writeFileSync(`${out}index.md`, indexPage())

// A name that means the same wherever it stands is explained here, once.
function explain(project) {
  const glossary = JSON.parse(read('docs/.vitepress/glossary.json'))
  for (const each of project.getReflectionsByKind(ReflectionKind.Parameter)) {
    if (each.name === '__namedParameters') each.name = 'options'
  }
  for (const each of project.getReflectionsByKind(ReflectionKind.Property)) {
    if (each.comment?.summary.length || glossary[each.name] === undefined) continue
    each.comment ??= new Comment()
    each.comment.summary = [{ kind: 'text', text: glossary[each.name] }]
  }
}

function describe(module) {
  const entry = entries.find(
    ({ file }) => file === `${root}${module.name}.ts` || file === `${root}${module.name}/index.ts`,
  )
  for (const each of module.children) {
    const [first, ...others] = each.kindOf(ReflectionKind.Function) ? each.signatures : []
    // The head comment of a file can only be taken for its first function's.
    if (first) each.comment = undefined
    // Overloads without a text of their own are said once.
    for (const other of others) if (isSaidBy(first, other)) other.comment = new Comment()
    if (entry.names.some(({ name }) => name === each.name)) continue
    each.comment ??= new Comment()
    each.comment.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: UNNAMED }]))
  }
  module.name = entry.page
  module.comment = new Comment([
    { kind: 'text', text: `\`import { … } from '${entry.specifier}'\`: ${entry.purpose}.` },
  ])
}

function isSaidBy(first, other) {
  const [a, b] = [first, other].map(({ comment }) => JSON.stringify(comment?.summary ?? []))
  return a === b
}

function check(project) {
  app.validate(project)
  // TypeDoc's own check would ask it of the methods of drivers and of Node, too.
  for (const { name, signatures } of project.getReflectionsByKind(ReflectionKind.Function)) {
    if (signatures?.length && !signatures[0].comment?.summary.length) app.logger.warn(`${name} has no docstring`)
  }
}

function indexPage() {
  const rows = entries.map(({ specifier, page, purpose, names }) => {
    const values = names.filter(({ isType }) => !isType)
    const links = values.map(({ name }) => `[\`${name}\`](${page}.md#${name.toLowerCase()})`)
    return `| [\`${specifier}\`](${page}.md) | ${purpose} | ${links.join(' ')} |`
  })
  return [
    '# Reference',
    '',
    'Every exported function, class and type, with what it takes, gives, throws and costs. The text is that of the docstrings,',
    'which your editor shows as well.',
    '',
    '| import | for | values (types beside them) |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

// As the snapshot of exported names lists them.
function namesOf(specifier) {
  const [, listed] = read('test/package/exported-names.txt').split(new RegExp(`^${specifier}$`, 'm'))
  return [.../^(?:\n {2}.*)+/.exec(listed)[0].matchAll(/^ {2}(type )?(.*)$/gm)].map(([, type, name]) => ({
    name,
    isType: type !== undefined,
  }))
}
