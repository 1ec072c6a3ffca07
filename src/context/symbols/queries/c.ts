/** What C and C++ share. A function is found by its declarator; its definition or declaration is what lies around that. */
const shared = `
(function_declarator declarator: (identifier) @name) @def.function
(preproc_def name: (identifier) @name) @def.macro
(preproc_function_def name: (identifier) @name value: (_)? @body) @def.macro
(struct_specifier name: (type_identifier) @name body: (_)) @def.struct
(union_specifier name: (type_identifier) @name body: (_)) @def.union
(enum_specifier name: (type_identifier) @name body: (_)) @def.enum
(type_definition declarator: (type_identifier) @name) @def.type
(type_definition declarator: (pointer_declarator declarator: (type_identifier) @name)) @def.type
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))) @def.type

(type_identifier) @ref
(call_expression function: (identifier) @ref)
(call_expression function: (field_expression field: (field_identifier) @ref))
(argument_list (identifier) @ref)
(binary_expression (identifier) @ref)
(init_declarator value: (identifier) @ref)
(assignment_expression right: (identifier) @ref)
(initializer_list (identifier) @ref)
(initializer_pair value: (identifier) @ref)
(return_statement (identifier) @ref)
(case_statement value: (identifier) @ref)
(conditional_expression (identifier) @ref)
(preproc_ifdef name: (identifier) @ref)
`;

export const cQuery = `${shared}
(translation_unit (declaration declarator: (identifier) @name) @def.variable)
(translation_unit (declaration declarator: (init_declarator declarator: (identifier) @name)) @def.variable)
(translation_unit (declaration declarator: (init_declarator declarator: (array_declarator declarator: (identifier) @name))) @def.variable)
(translation_unit (declaration declarator: (init_declarator declarator: (pointer_declarator declarator: (identifier) @name))) @def.variable)
`;

export const cppQuery = `${shared}
(function_declarator declarator: (field_identifier) @name) @def.method
(function_declarator declarator: (qualified_identifier name: (identifier) @name)) @def.method
(function_declarator declarator: (qualified_identifier name: (qualified_identifier name: (identifier) @name))) @def.method
(class_specifier name: (type_identifier) @name body: (_)) @def.class
(namespace_definition name: (namespace_identifier) @name) @def.namespace
(namespace_definition name: (nested_namespace_specifier) @name) @def.namespace
(alias_declaration name: (type_identifier) @name) @def.type
(concept_definition name: (identifier) @name) @def.type
(translation_unit (declaration (type_qualifier) declarator: (init_declarator declarator: (identifier) @name)) @def.constant)
(declaration_list (declaration (type_qualifier) declarator: (init_declarator declarator: (identifier) @name)) @def.constant)

(call_expression function: (qualified_identifier name: (identifier) @ref))
(call_expression function: (template_function name: (identifier) @ref))
(call_expression function: (qualified_identifier name: (template_function name: (identifier) @ref)))
(qualified_identifier scope: (namespace_identifier) @ref)
`;
