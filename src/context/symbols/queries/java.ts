export const javaQuery = `
(class_declaration name: (identifier) @name) @def.class
(interface_declaration name: (identifier) @name) @def.interface
(enum_declaration name: (identifier) @name) @def.enum
(record_declaration name: (identifier) @name) @def.record
(annotation_type_declaration name: (identifier) @name) @def.interface
(method_declaration name: (identifier) @name) @def.method
(constructor_declaration name: (identifier) @name) @def.method
(field_declaration (modifiers "static") declarator: (variable_declarator name: (identifier) @name)) @def.constant

(type_identifier) @ref
(method_invocation name: (identifier) @ref)
(method_invocation object: (identifier) @ref)
(field_access object: (identifier) @ref)
(field_access field: (identifier) @ref)
(import_declaration (scoped_identifier name: (identifier) @ref))
(annotation name: (identifier) @ref)
(marker_annotation name: (identifier) @ref)
(method_reference (identifier) @ref)
(argument_list (identifier) @ref)
(binary_expression (identifier) @ref)
`;
