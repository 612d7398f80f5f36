"""Set a page: PDF/UA-1 by Typst, or one page of HTML."""
