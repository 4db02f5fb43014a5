"""The snippets that websites paste, rendered from snippet_templates/."""
