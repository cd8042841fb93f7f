// JSON documents, judged by validators of the npm registry.
//
// usage: node documents.mjs KIND folder-of-node-modules file...
//
//   csaf       @secvisogram/csaf-validator-lib: the strict schema of CSAF 2.0, and all mandatory tests
//   cyclonedx  @cyclonedx/cyclonedx-library: the strict schema of CycloneDX 1.6, its formats and the list of SPDX
//
// Prints a line for each file: null when it is valid, the first errors as JSON otherwise.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [kind, folder, ...files] = process.argv.slice(2)

const kinds = {
  async csaf() {
    const library = (name) =>
      import(pathToFileURL(`${folder}/node_modules/@secvisogram/csaf-validator-lib/${name}`))
    const { default: validate } = await library('validateStrict.js')
    const { csaf_2_0_strict: schema } = await library('schemaTests.js')
    const mandatory = Object.values(await library('mandatoryTests.js'))
    if (typeof schema !== 'function' || mandatory.length < 40) {
      throw new Error('this version of the validator has other tests')
    }
    return async (text) => {
      const { isValid, tests } = await validate([schema, ...mandatory], JSON.parse(text))
      const errors = tests.flatMap(({ name, errors }) =>
        errors.map(({ instancePath, message }) => `${name}: ${instancePath} ${message}`)
      )
      return isValid ? null : errors
    }
  },
  async cyclonedx() {
    const { Spec, Validation } = createRequire(`${folder}/any.js`)('@cyclonedx/cyclonedx-library')
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
    return (text) => validator.validate(text)
  },
}

const judge = await kinds[kind]()
for (const file of files) {
  const errors = await judge(readFileSync(file, 'utf8'))
  console.log(JSON.stringify(errors && errors.slice(0, 3)))
}
