export const phpQuery = `
(class_declaration name: (name) @name) @def.class
(interface_declaration name: (name) @name) @def.interface
(trait_declaration name: (name) @name) @def.trait
(enum_declaration name: (name) @name) @def.enum
(function_definition name: (name) @name) @def.function
(method_declaration name: (name) @name) @def.method
(const_declaration (const_element . (name) @name)) @def.constant

(named_type (name) @ref)
(named_type (qualified_name (name) @ref))
(object_creation_expression (name) @ref)
(object_creation_expression (qualified_name (name) @ref))
(function_call_expression function: (name) @ref)
(function_call_expression function: (qualified_name (name) @ref))
(member_call_expression name: (name) @ref)
(scoped_call_expression scope: (name) @ref)
(scoped_call_expression name: (name) @ref)
(class_constant_access_expression (name) @ref)
(base_clause (name) @ref)
(class_interface_clause (name) @ref)
(use_declaration (name) @ref)
(namespace_use_clause (qualified_name (name) @ref))
(attribute (name) @ref)
(argument (name) @ref)
`;
