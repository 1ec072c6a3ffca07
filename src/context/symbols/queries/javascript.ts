/** What JavaScript and TypeScript share. */
const shared = `
(function_declaration name: (identifier) @name) @def.function
(generator_function_declaration name: (identifier) @name) @def.function
(method_definition name: (property_identifier) @name) @def.method
(program (lexical_declaration (variable_declarator name: (identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @def.function))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @def.function)))
(program (lexical_declaration (variable_declarator name: (identifier) @name) @def.constant))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @def.constant)))
(program (variable_declaration (variable_declarator name: (identifier) @name value: (function_expression body: (_) @body)) @def.function))
(program (variable_declaration (variable_declarator name: (identifier) @name) @def.variable))
(program (expression_statement (assignment_expression left: (member_expression property: (property_identifier) @name) right: (function_expression body: (_) @body)) @def.function))
(program (expression_statement (assignment_expression left: (member_expression property: (property_identifier) @name) right: (arrow_function body: (_) @body)) @def.function))

(import_specifier name: (identifier) @ref)
(import_clause (identifier) @ref)
(export_specifier name: (identifier) @ref)
(call_expression function: (identifier) @ref)
(call_expression function: (member_expression property: (property_identifier) @ref))
(new_expression constructor: (identifier) @ref)
(new_expression constructor: (member_expression property: (property_identifier) @ref))
(arguments (identifier) @ref)
(member_expression object: (identifier) @ref)
(template_substitution (identifier) @ref)
(pair value: (identifier) @ref)
(array (identifier) @ref)
(shorthand_property_identifier) @ref
(binary_expression (identifier) @ref)
(return_statement (identifier) @ref)
(arrow_function body: (identifier) @ref)
(variable_declarator value: (identifier) @ref)
(assignment_expression right: (identifier) @ref)
`;

const jsx = `
(jsx_opening_element name: (identifier) @ref)
(jsx_self_closing_element name: (identifier) @ref)
(jsx_expression (identifier) @ref)
`;

export const javascriptQuery = `${shared}${jsx}
(class_declaration name: (identifier) @name) @def.class
(field_definition property: (property_identifier) @name value: (arrow_function body: (_) @body)) @def.method
(class_heritage (identifier) @ref)
(class_heritage (member_expression property: (property_identifier) @ref))
`;

/** JSX nodes are in the grammar of TSX only; a query that names them does not compile for the other. */
export const typescriptQuery = `${shared}
(class_declaration name: (type_identifier) @name) @def.class
(abstract_class_declaration name: (type_identifier) @name) @def.class
(interface_declaration name: (type_identifier) @name) @def.interface
(type_alias_declaration name: (type_identifier) @name) @def.type
(enum_declaration name: (identifier) @name) @def.enum
(internal_module name: (identifier) @name) @def.namespace
(module name: (_) @name) @def.module
(function_signature name: (identifier) @name) @def.function
(abstract_method_signature name: (property_identifier) @name) @def.method
(method_signature name: (property_identifier) @name) @def.method
(public_field_definition name: (property_identifier) @name value: (arrow_function body: (_) @body)) @def.method
(program (ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name) @def.constant)))
(program (ambient_declaration (variable_declaration (variable_declarator name: (identifier) @name) @def.variable)))

(type_annotation (type_identifier) @ref)
(generic_type name: (type_identifier) @ref)
(type_arguments (type_identifier) @ref)
(union_type (type_identifier) @ref)
(intersection_type (type_identifier) @ref)
(array_type (type_identifier) @ref)
(readonly_type (type_identifier) @ref)
(extends_clause value: (identifier) @ref)
(extends_type_clause (type_identifier) @ref)
(implements_clause (type_identifier) @ref)
(nested_type_identifier name: (type_identifier) @ref)
(as_expression (type_identifier) @ref)
(satisfies_expression (type_identifier) @ref)
(type_alias_declaration value: (type_identifier) @ref)
(type_query (identifier) @ref)
(decorator (identifier) @ref)
(decorator (call_expression function: (identifier) @ref))
`;

export const tsxQuery = typescriptQuery + jsx;
