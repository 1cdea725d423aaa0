"""Every sentence the bot says, one module a language: `from pipeline.texts import en as texts`.

A sentence takes what it shows as it is kept; `shown` makes it safe on the phone. Another language is another module
with the same functions, chosen by `Contact.language`.
"""
