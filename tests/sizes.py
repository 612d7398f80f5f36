"""Count the tokens and the statements of Python files: comments, docstrings and layout do not count."""

import ast
import io
import tokenize

LAYOUT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
STARTS = getattr(tokenize, "FSTRING_START", None)
ENDS = getattr(tokenize, "FSTRING_END", None)
HOLDERS = (ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef, ast.Module)


def docstring_lines(tree):
    """Return the lines on which docstrings begin."""
    holders = [node for node in ast.walk(tree) if isinstance(node, HOLDERS)]
    return {node.body[0].lineno for node in holders if ast.get_docstring(node, clean=False) is not None}


def measured(path):
    """Return the tokens and the statements of a file; an f-string is one token by every Python."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    docstrings = docstring_lines(tree)
    tokens = 0
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == STARTS:
            depth += 1
        elif token.type == ENDS:
            depth -= 1
        is_docstring = token.type == tokenize.STRING and token.start[0] in docstrings
        if depth == 0 and token.type not in LAYOUT and not is_docstring:
            tokens += 1
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(tree))
    return tokens, statements - len(docstrings)
