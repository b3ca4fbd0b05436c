/* user_data_text.S - live/image/user-data.yaml inside the program, which needs no source
 * tree when it runs. user_data.c fills in its parameters. */
    .section .rodata
    .globl user_data_text; .hidden user_data_text; .type user_data_text, %object
user_data_text:
    .incbin "live/image/user-data.yaml"
    .byte 0
    .size user_data_text, . - user_data_text
    .section .note.GNU-stack, "", %progbits
