export const csharpQuery = `
(class_declaration name: (identifier) @name) @def.class
(interface_declaration name: (identifier) @name) @def.interface
(struct_declaration name: (identifier) @name) @def.struct
(record_declaration name: (identifier) @name) @def.record
(enum_declaration name: (identifier) @name) @def.enum
(delegate_declaration name: (identifier) @name) @def.type
(namespace_declaration name: (_) @name) @def.namespace
(method_declaration name: (identifier) @name) @def.method
(constructor_declaration name: (identifier) @name) @def.method
(property_declaration name: (identifier) @name accessors: (_)? @body value: (_)? @body) @def.property
(field_declaration (modifier) @_m (variable_declaration (variable_declarator name: (identifier) @name)) (#any-of? @_m "const" "static")) @def.constant

(base_list (identifier) @ref)
(generic_name (identifier) @ref)
(type_argument_list (identifier) @ref)
(object_creation_expression type: (identifier) @ref)
(invocation_expression function: (identifier) @ref)
(member_access_expression expression: (identifier) @ref)
(member_access_expression name: (identifier) @ref)
(attribute name: (identifier) @ref)
(parameter type: (identifier) @ref)
(parameter type: (nullable_type (identifier) @ref))
(variable_declaration type: (identifier) @ref)
(variable_declaration type: (nullable_type (identifier) @ref))
(property_declaration type: (identifier) @ref)
(method_declaration returns: (identifier) @ref)
(cast_expression type: (identifier) @ref)
(array_type type: (identifier) @ref)
(argument (identifier) @ref)
(binary_expression (identifier) @ref)
(typeof_expression type: (identifier) @ref)
`;
