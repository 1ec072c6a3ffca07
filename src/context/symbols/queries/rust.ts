export const rustQuery = `
(function_item name: (identifier) @name) @def.function
(function_signature_item name: (identifier) @name) @def.function
(struct_item name: (type_identifier) @name) @def.struct
(enum_item name: (type_identifier) @name) @def.enum
(union_item name: (type_identifier) @name) @def.union
(trait_item name: (type_identifier) @name) @def.trait
(impl_item type: (type_identifier) @name) @def.impl
(impl_item type: (generic_type type: (type_identifier) @name)) @def.impl
(type_item name: (type_identifier) @name) @def.type
(const_item name: (identifier) @name) @def.constant
(static_item name: (identifier) @name) @def.variable
(mod_item name: (identifier) @name body: (_)) @def.module
(macro_definition name: (identifier) @name . (_) @body) @def.macro

(type_identifier) @ref
(call_expression function: (identifier) @ref)
(call_expression function: (field_expression field: (field_identifier) @ref))
(call_expression function: (scoped_identifier name: (identifier) @ref))
(call_expression function: (generic_function function: (identifier) @ref))
(scoped_identifier path: (identifier) @ref)
(scoped_identifier name: (identifier) @ref)
(macro_invocation macro: (identifier) @ref)
(use_list (identifier) @ref)
(use_as_clause path: (identifier) @ref)
(arguments (identifier) @ref)
(binary_expression (identifier) @ref)
(expression_statement (identifier) @ref)
(token_tree (identifier) @ref)
`;
